import HTTPTypes
import Hummingbird

/// Says in one line of text what a log does not have, and by which methods it has what it has.
///
/// Source: RFC 9110, section 15.5.6.
struct LogErrors: RouterMiddleware {
  /// Of the log, without a slash at its end.
  let prefix: String

  func handle(
    _ request: Request, context: BasicRequestContext,
    next: (Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    let path = request.uri.path
    guard prefix.isEmpty || path.hasPrefix(prefix + "/") else { return try await next(request, context) }
    if let methods = methods(of: path.dropFirst(prefix.count)), !methods.contains(request.method) {
      let allowed = methods.map(\.rawValue).joined(separator: ", ")
      var response = Response.line(.methodNotAllowed, "\(request.method) is not for this path; it takes \(allowed)")
      response.headers[.allow] = allowed
      return response
    }
    do { return try await next(request, context) } catch let error as HTTPError where error.status == .notFound {
      return .line(.notFound, "a log has no such path; it has checkpoint, tile/, entries and proof/")
    }
  }

  /// - Returns: nil for what is no path of a log.
  private func methods(of path: Substring) -> [HTTPRequest.Method]? {
    let parts = path.split(separator: "/")
    switch (parts.first, parts.count) {
    case ("checkpoint", 1), ("tile", 2...), ("proof", 2): return [.get, .head]
    case ("entries", 1): return [.post]
    default: return nil
    }
  }
}
