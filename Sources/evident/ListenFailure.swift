import NIOCore
import Networking

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Why a server cannot take connections here, and what to do.
struct ListenFailure: Error, CustomStringConvertible {
  let description: String

  /// nil for what has another reason.
  init?(_ error: any Error, _ host: String, _ port: Int) {
    let (reason, hint): (String, String)
    switch error {
    case let error as IOError:
      reason = String(cString: strerror(error.errnoCode))
      hint =
        switch error.errnoCode {
        case EADDRNOTAVAIL: "choose an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all of them"
        case EACCES: "ports below 1024 are privileged; choose a higher one"
        default: "choose another port, or 0 to let the system choose"
        }
    case is SocketAddressError.UnknownHost, is SocketAddressError:
      reason = "there is no such address"
      hint = "choose an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all of them"
    default: return nil
    }
    description = "cannot listen on \(ServerAddress(host: host, port: port)): \(reason)\nhint: \(hint)"
  }
}
