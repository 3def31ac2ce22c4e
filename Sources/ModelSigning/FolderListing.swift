import Digests
import ModelFiles

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Why a folder cannot be signed or checked as it is. Whoever filled it can mend it.
public enum FolderRejection: Error, Equatable, Sendable, CustomStringConvertible {
  case symlink(String)
  case symlinkToFolder(String)
  case special(String)
  /// A name that is not UTF-8, in this folder below the signed one.
  case nameNotUTF8(folder: String)
  case fileName(String, problem: String)
  case tooMany(filesMax: Int)
  case empty

  public var description: String {
    switch self {
    case .symlink(let name):
      "\(SignatureRejection.quoted(name)) is a symbolic link; replace it by the file, or give --allow-symlinks"
    case .symlinkToFolder(let name):
      "\(SignatureRejection.quoted(name)) is a symbolic link to a folder, whose files no signature covers; "
        + "replace it by the folder"
    case .special(let name):
      "\(SignatureRejection.quoted(name)) is neither a file nor a folder; remove it"
    case .nameNotUTF8(let folder):
      "a file in \(SignatureRejection.quoted(folder.isEmpty ? "." : folder)) has a name that is not UTF-8; rename it"
    case .fileName(let name, let problem):
      "\(SignatureRejection.quoted(name)) cannot be signed: \(problem); rename or move it"
    case .tooMany(let max): "there are more than \(max) files or folders; sign a smaller folder"
    case .empty: "there are no files to sign; check the path"
    }
  }
}

/// The files below a folder, found before any of them is read.
public struct FolderListing: Sendable {
  public struct Entry: Sendable, Equatable {
    public let name: String
    public let bytes: Int
  }

  public let root: String
  /// By name, in the order of statements.
  public let entries: [Entry]

  /// - Parameters:
  ///   - ignoring: paths below the folder that are passed over with all that is in them.
  ///   - allowsSymlinks: whether links to files stand for the files.
  /// - Throws: ``FolderRejection``, `FileFailure`.
  public init(_ root: String, ignoring: [String], allowsSymlinks: Bool) throws {
    self.root = root
    var entries: [Entry] = []
    var folders = [""]
    var foldersSeen = 1
    while let folder = folders.popLast() {
      for name in try FolderListing.names(in: root, folder) {
        let path = folder.isEmpty ? name : "\(folder)/\(name)"
        if ignoring.contains(where: { FileName.isBelow(path, $0) }) { continue }
        if let problem = FileName.problem(path) { throw FolderRejection.fileName(path, problem: problem) }
        switch try FolderListing.look(at: "\(root)/\(path)", name: path, allowsSymlinks) {
        case .file(let bytes): entries.append(Entry(name: path, bytes: bytes))
        case .folder:
          folders.append(path)
          foldersSeen += 1
        }
        guard max(entries.count, foldersSeen) <= SignatureLimits.filesMax else {
          throw FolderRejection.tooMany(filesMax: SignatureLimits.filesMax)
        }
      }
    }
    self.entries = entries.sorted { FileName.precedes($0.name, $1.name) }
  }

  /// A single file, which statements call `.`.
  public init(file: String) throws {
    root = file
    entries = [Entry(name: ".", bytes: try FileSystem.size(of: file))]
  }

  public var bytes: Int { entries.reduce(0) { $0 + $1.bytes } }

  /// Hashes the files one after the other. Memory: one piece of a file.
  ///
  /// - Parameter progress: called with the number of bytes read since the last call; what it throws ends
  ///   the work.
  /// - Throws: `FileFailure`, and whatever `progress` throws.
  public func digests(
    of chosen: [Entry]? = nil, progress: (Int) throws -> Void = { _ in }
  ) throws -> [SignedFile] {
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    return try (chosen ?? entries).map { entry in
      let path = entry.name == "." ? root : "\(root)/\(entry.name)"
      let (descriptor, _) = try FileSystem.openForReading(path)
      defer { close(descriptor) }
      var digest = StreamingDigest<SignedFile>()
      while true {
        let n = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        if n == 0 { break }
        if n > 0 {
          buffer.withUnsafeBytes { digest.update(UnsafeRawBufferPointer(rebasing: $0[..<n])) }
          try progress(n)
        } else if errno != EINTR {
          throw FileFailure.last("read", path)
        }
      }
      return SignedFile(name: entry.name, digest: digest.finalized())
    }
  }

  private enum Kind {
    case file(bytes: Int)
    case folder
  }

  private static func look(at path: String, name: String, _ allowsSymlinks: Bool) throws -> Kind {
    var info = stat()
    guard lstat(path, &info) == 0 else { throw FileFailure.last("look at", path) }
    let isLink = info.st_mode & S_IFMT == S_IFLNK
    if isLink {
      guard allowsSymlinks else { throw FolderRejection.symlink(name) }
      guard stat(path, &info) == 0 else { throw FileFailure.last("follow the link", path) }
    }
    switch info.st_mode & S_IFMT {
    case S_IFREG: return .file(bytes: Int(info.st_size))
    case S_IFDIR where isLink: throw FolderRejection.symlinkToFolder(name)
    case S_IFDIR: return .folder
    default: throw FolderRejection.special(name)
    }
  }

  /// Every name in a folder. Unlike elsewhere, one that is not UTF-8 must not be passed over.
  private static func names(in root: String, _ folder: String) throws -> [String] {
    let path = folder.isEmpty ? root : "\(root)/\(folder)"
    guard let stream = opendir(path) else { throw FileFailure.last("list", path) }
    defer { closedir(stream) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
        String(validating: raw.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard let name else { throw FolderRejection.nameNotUTF8(folder: folder) }
      if name != "." && name != ".." { names.append(name) }
      guard names.count <= SignatureLimits.filesMax + SignatureLimits.ignoredPathsMax else {
        throw FolderRejection.tooMany(filesMax: SignatureLimits.filesMax)
      }
      errno = 0
    }
    guard errno == 0 else { throw FileFailure.last("list", path) }
    return names
  }
}
