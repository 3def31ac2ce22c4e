import ModelFiles
import ModelGraph

/// Does one thing to a model store and ends: a process that tests can run twice at once, or kill.
@main
struct Main {
  static func main() throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    switch (arguments.first, arguments.count) {
    case ("import", 4):
      try ModelStore(root: arguments[1]).importModel(directory: arguments[2], as: try ModelName(arguments[3]))
    case ("remove", 3):
      try ModelStore(root: arguments[1]).remove(arguments[2])
    case ("pack", 3):
      let manifest = try Pack.importPack(directory: arguments[1], to: arguments[2])
      print(manifest.digest)
    default:
      fatalError("usage: import STORE FOLDER NAME | remove STORE NAME | pack FOLDER FILE")
    }
  }
}
