import Foundation
import Testing

/// What a reviewer would otherwise have to say again and again.
@Suite struct TidyTests {
  /// The trusted closure and what each of its targets may import. Nothing else decides a verdict.
  static let closure: [String: Set<String>] = [
    "Digests": ["Crypto"],
    "ModelGraph": ["Digests"],
    "Tokenizers": ["Digests"],
    "Transparency": ["Crypto", "Digests"],
    "Receipts": ["Crypto", "Digests", "ModelGraph", "Transparency"],
    "Verification": ["Crypto", "Digests", "ModelGraph", "Receipts", "Tokenizers", "Transparency"],
  ]

  @Test(arguments: closure.keys.sorted())
  func closureImportsOnlyItsList(_ target: String) throws {
    let files = try SourceTree.files("Sources/\(target)", ["swift"])
    #expect(!files.isEmpty)
    for file in files {
      for module in SourceTree.imports(file) {
        #expect(Self.closure[target]!.contains(module), "\(file.path) imports \(module)")
      }
    }
    #expect(try SourceTree.files("Sources/\(target)", ["c", "h", "S", "cpp"]).isEmpty)
  }

  /// The package description itself: a dependency that no file imports yet would still be linked.
  @Test(arguments: closure.keys.sorted())
  func closureDeclaresOnlyItsList(_ target: String) throws {
    let text = try String(contentsOf: SourceTree.root.appending(path: "Package.swift"), encoding: .utf8)
    let entry = try #require(
      text.firstMatch(of: try Regex("\\.target\\(\\s*name: \"\(target)\",\\s*dependencies: \\[([^\\]]*)\\]")))
    let list = try #require(entry.output[1].substring)
    let declared = list.split { $0 == "," || $0.isWhitespace }.map { String($0.filter { $0 != "\"" }) }
    #expect(!declared.isEmpty)
    for name in declared {
      #expect(Self.closure[target]!.contains(name == "crypto" ? "Crypto" : name), "\(target) declares \(name)")
    }
  }

  /// Between token ids in and token ids out there is no floating point. Importers may use it.
  @Test(arguments: [
    "Digests", "ModelGraph", "Tokenizers", "Receipts", "Transparency", "Verification", "CKernels", "Inference",
  ])
  func evaluationPathHasNoFloatingPoint(_ target: String) throws {
    let types: Set<String.SubSequence> = [
      "Double", "Float", "Float16", "Float32", "Float64", "Float80", "CGFloat", "float", "double",
    ]
    for file in try SourceTree.files("Sources/\(target)", ["swift", "c", "h"]) {
      for line in file.code {
        let words = line.text.split { !($0.isLetter || $0.isNumber || $0 == "_") }
        for word in words where types.contains(word) {
          Issue.record("\(file.path):\(line.number) uses \(word)")
        }
      }
    }
  }

  @Test func filesStayReadable() throws {
    for file in try SourceTree.files("Sources", ["swift", "c", "h"]) + SourceTree.files("Tests", ["swift", "c"]) {
      let limit = file.isGenerated ? Int.max : 600
      #expect(file.lines.count <= limit, "\(file.path) has \(file.lines.count) lines")
      for (index, line) in file.lines.enumerated() where line.count > 140 && !file.isGenerated && !line.contains("\"") {
        Issue.record("\(file.path):\(index + 1) is \(line.count) characters wide")
      }
    }
  }

  @Test func nothingIsLeftForLater() throws {
    let words = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]
    for folder in ["Sources", "Tests", "scripts", "Reference", "Model", "Benchmarks"] {
      for file in try SourceTree.files(folder, ["swift", "c", "h", "py", "sh"]) {
        for (index, line) in file.lines.enumerated() {
          let found = line.split { !($0.isLetter || $0 == "_") }.contains { word in words.contains(String(word)) }
          if found { Issue.record("\(file.path):\(index + 1): \(line)") }
        }
      }
    }
  }

  @Test func namesSayWhatTheyHold() throws {
    for file in try SourceTree.files("Sources", ["swift"]) {
      for word in ["Utils", "Common", "Helpers", "Manager"] {
        #expect(!file.path.contains(word), "\(file.path)")
      }
    }
  }
}
