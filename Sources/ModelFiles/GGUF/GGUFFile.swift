/// A memory-mapped GGUF file, or one part of a model that was split.
package struct GGUFFile {
  /// The file's name without its folder.
  package let name: String
  package let header: GGUFHeader
  let mapping: MappedFile

  package var metadata: GGUFMetadata { header.metadata }

  /// Checks the header; tensors are checked by ``tensors()``, so that a vocabulary alone can be read, too.
  ///
  /// - Throws: ``FileFailure``, ``GGUFRejection``.
  package init(path: String) throws {
    mapping = try MappedFile(path: path)
    mapping.adviseSequential()
    name = FileSystem.name(of: path)
    header = try GGUFHeader(mapping, file: name)
  }

  /// The tensors, each of a supported type, aligned, within the file and apart from the others.
  package func tensors() throws(GGUFRejection) -> [SourceTensor] {
    var names: Set<String> = []
    var placed: [(tensor: SourceTensor, range: Range<Int>)] = []
    for info in header.tensors {
      guard names.insert(info.name).inserted else { throw .duplicateTensor(info.name, files: [name]) }
      placed.append(try place(info))
    }
    let order = placed.indices.sorted { placed[$0].range.lowerBound < placed[$1].range.lowerBound }
    for (previous, next) in zip(order, order.dropFirst())
    where placed[next].range.lowerBound < placed[previous].range.upperBound {
      throw .overlap(file: name, tensor: placed[next].tensor.name, after: placed[previous].tensor.name)
    }
    return placed.map(\.tensor)
  }

  private func place(_ info: GGUFTensorInfo) throws(GGUFRejection) -> (tensor: SourceTensor, range: Range<Int>) {
    guard let encoding = info.type.encoding else {
      throw .unsupportedTensorType(file: name, tensor: info.name, type: info.type.name)
    }
    var shape: [Int] = []
    // Of the smallest element, more does not fit any file.
    var elements = 1
    for extent in info.extents.reversed() {
      guard let size = Int(exactly: extent), size > 0 else {
        throw .tensor(file: name, tensor: info.name, problem: "has an extent of \(extent); the file is damaged")
      }
      let (product, overflow) = elements.multipliedReportingOverflow(by: size)
      guard !overflow, product < 1 << 48 else {
        throw .tensor(file: name, tensor: info.name, problem: "is larger than any file; the file is damaged")
      }
      elements = product
      shape.append(size)
    }
    let columns = shape.last ?? 1
    guard let rowBytes = encoding.bytes(columns: columns) else {
      let blockElements = if case .blocks(let format) = encoding { format.blockElements } else { 1 }
      throw .partialBlock(
        file: name, tensor: info.name, columns: columns, type: info.type.name, blockElements: blockElements)
    }
    let bytes = elements / columns * rowBytes
    guard info.offset % UInt64(header.alignment) == 0 else {
      throw .misaligned(file: name, tensor: info.name, offset: info.offset, alignment: header.alignment)
    }
    let dataBytes = mapping.count - header.dataStart
    let (end, overflow) = info.offset.addingReportingOverflow(UInt64(bytes))
    guard !overflow, end <= UInt64(dataBytes) else {
      throw .beyondFile(file: name, tensor: info.name, end: overflow ? .max : end, bytes: dataBytes)
    }
    let start = header.dataStart + Int(info.offset)
    let range = start..<(start + bytes)
    let tensor = SourceTensor(
      name: info.name, shape: shape, encoding: encoding, mapping: mapping, range: range, file: name)
    return (tensor, range)
  }
}
