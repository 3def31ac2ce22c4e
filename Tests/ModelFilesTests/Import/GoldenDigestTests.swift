import ModelFiles
import Testing

/// The Python reference, written from docs/spec/model.md alone, makes the same manifests and weights.
///
///     $(Reference/setup.sh) Reference/oracle.py from-hf DIRECTORY model.evpack [--weights 4bit]
@Suite struct GoldenDigestTests {
  /// Fixture, the grid of its weights, the format they are converted to, and the model's digest.
  @Test(arguments: [
    ("llama-llama3", "8bit", "8bit", "351c5ea7866358d2d437eb8902e7fe6fd50d76d039126a157e00bfa8fd1baeef"),
    ("llama-llama3", "8bit", "4bit", "21607002a05b7d3bf9883319b5c394a315ce000ae71588ba0360202d25d30024"),
    ("llama-llama3", "4bit", "8bit", "9a7307d9aa4e6fdd261c55f24fbab5e5e4af2373bdef799630fe9873440605a5"),
    ("llama-llama3", "4bit", "4bit", "78bfbfc76badb980aec38ac07e6fd464d6a87ad36a8d8c23c8e75353837af76f"),
    ("llama-linear", "8bit", "8bit", "87612c5a67b888099bfd6c3e08df04d29b32951d87d9c3e52ab6f26d660623a7"),
    ("llama-linear", "8bit", "4bit", "a22c00505dc3964dabea56ba16a78f8a597eaa012f763ac1766b54dbcd5540b8"),
    ("llama-linear", "4bit", "8bit", "2091af2121de692dd8cb939f42f7cb299f5a79e323a51bd8510fee554dcfcbcb"),
    ("llama-linear", "4bit", "4bit", "91b6680846c880b79df70ef3b61332deb1b93b156de8504dc8677b62ea72db55"),
    ("mistral", "8bit", "8bit", "7560908be884e24eaa1cd41194006ac3b8ca5cae4d07205ddedcffb485e31069"),
    ("mistral", "8bit", "4bit", "d1869a3dbb5ea6e6d8ae6414af3c6552127d50779d79ca60392f7e84784e6b89"),
    ("mistral", "4bit", "8bit", "ac0699dfb51d9efbf54829375cd7a002e69f949c797fb96e9413a56aa48cd1ca"),
    ("mistral", "4bit", "4bit", "cf216a88d8707831e10ebb14493242e28368bdd4037b90e89a0c69b498cd9a31"),
    ("qwen2", "8bit", "8bit", "713e6c09625b25f454f994b3db867f167a32932cee0ae4b16250aaec1ee2bf49"),
    ("qwen2", "8bit", "4bit", "d136c7e5b667bffe43747c63e1f889fd96a492848b7b6a0b044d81302f61660e"),
    ("qwen2", "4bit", "8bit", "c398f952da5f6b3d833c353632e535ae54cf7c89c4d373d466e0fee70c86055d"),
    ("qwen2", "4bit", "4bit", "105ed49fe52c702e5082ea73a182b2b0e1ce7f91407d10404c57b5e68420ee4b"),
    ("qwen3", "8bit", "8bit", "cd0bb7ccc5ac01c5bed1362821bb3c3e029b91fc576345f4ca5eac9638ffd7cb"),
    ("qwen3", "8bit", "4bit", "54b464e980dcc32d69fc9e1dcc421423194b0f19c6f6d67ca6bebef86e271867"),
    ("qwen3", "4bit", "8bit", "974723c4417a65768230cea36e410e25a1688386ba466c5ae3b5c9c2040694f3"),
    ("qwen3", "4bit", "4bit", "053a4b317a278f33d1544305e4730ebda00c7c8113fd73250b0c77662eaed290"),
    ("smollm3", "8bit", "8bit", "4fca9ffabea34a46557692180d9163821104702d6f33c554033c416d9d7c3696"),
    ("smollm3", "8bit", "4bit", "3a3d9118f071f555733a7e63fbe462db5d3795ce736b4ce61429df75cdb4e6ea"),
    ("smollm3", "4bit", "8bit", "93c63e170e7e50572eb040d0d3a81e63eb00f4a22c9ea3eb1175eabd7e62ae6f"),
    ("smollm3", "4bit", "4bit", "0af8ec2aa7fa0a45d6ebc22791cbc310ccfb3569e152f36022b1e02044faf003"),
    ("gemma2", "8bit", "8bit", "72652aa45c3269fc89892c12750aeff686b9d8edd5776cbb55a9ce0d6263c2c8"),
    ("gemma2", "8bit", "4bit", "b5e73599cf4f44ffdf0bd0f9b904adce0852b491970045ecf2a9291ae7848678"),
    ("gemma2", "4bit", "8bit", "83fc2eb49e2d212a6d2484c4dc1e64fa4f5c286f485fb26761e0b557a784480e"),
    ("gemma2", "4bit", "4bit", "513a859659a95fb0893c5afd2523783256307a67fbbba6df9982080bd7b8caf8"),
    ("gemma3", "8bit", "8bit", "3046de99b3d3530aab9e48848a6dd3045a76b73ee3c04499da38158a9ed0b26d"),
    ("gemma3", "8bit", "4bit", "8cf7037b3bfee4661cca165d68e4d0091d47d80ae30e44a8ce0aaed7d0a76b41"),
    ("gemma3", "4bit", "8bit", "75cf554869fc9088ec8dccd50846fc987d50efcee3c43d11d9e71ff8d0e31e35"),
    ("gemma3", "4bit", "4bit", "81b68dc65d72bcb2ac1e0aab0f97d43a8a07856650649f49b5d82c6cf23d9c57"),
    ("phi3", "8bit", "8bit", "d0666cce63cbc48543e0dcb424f339156e1eff06a312bd0b2491061800ed8e5f"),
    ("phi3", "8bit", "4bit", "be0da3343a4b6d7a29cf5a3e73d29dcf90f08ae27aa13db0274b876c11ab1b4b"),
    ("phi3", "4bit", "8bit", "a36e7eb4f2b545c10c6d0230e7394f728cd0410981281211ce376af9c65697e4"),
    ("phi3", "4bit", "4bit", "250a365327250a71cc4eb7737e113f84587be0a998c7aa8c4737139c976b66ee"),
    ("phi3-longrope", "8bit", "8bit", "50b0fedadbe35a4fc67c906e0b26fe8cb53de6cde78971293fbe323518f151c4"),
    ("phi3-longrope", "8bit", "4bit", "55ba1bcb1828e71add4ac6cc72caeb9d8b639a0a1db9b5a7646bf50313fe8fb5"),
    ("phi3-longrope", "4bit", "8bit", "3fff4237c0afadc44a8b14e7471fdca1a0833b603689b08e7157a5e08e9d94a1"),
    ("phi3-longrope", "4bit", "4bit", "138055aa38d964a12b82cf797de7baa94b56de6e13904141af29556eeb1a9572"),
    ("mixtral", "8bit", "8bit", "e596fe3addb923cf4353ee177fbe179d664935b602550a504eecb13ee5efd865"),
    ("mixtral", "8bit", "4bit", "a5c76ca8b2ef77b57b4b3a30bed9e795f9f401a2e224085dee5462d6305b8bfe"),
    ("mixtral", "4bit", "8bit", "a48c69af7ef39831dd536a93977bf419d7cb0c0b258f89a0d8874084be8c16d3"),
    ("mixtral", "4bit", "4bit", "96b35960d1247e59e4bfa1e7106016fead583b97e9e7f0b9b74b2741c839ee39"),
    ("qwen3moe", "8bit", "8bit", "cbc5e818ad668ee2d7479bd60568f68aa1c37ba504336d9424a050262fe8d795"),
    ("qwen3moe", "8bit", "4bit", "6ae23b8058ee32c99e502b8756f5345c9a062596748a5c0f2b66800d5200dbc9"),
    ("qwen3moe", "4bit", "8bit", "63e5d493d35782ca44115b6710f6827f8f51e06c9f9867201356e8d04a6ac2af"),
    ("qwen3moe", "4bit", "4bit", "bc2e08552e002144c13c5a7f9b3146db3a19f6286935cca3f4248df79929928f"),
    ("qwen3moe-all", "8bit", "8bit", "c2605065e1555df9b801406fc84fb962345f54ff06164282a6d7462bdae68e95"),
    ("qwen3moe-all", "8bit", "4bit", "8b3c9310d9ef7bf922c65259f722fc820554fd0e396de07c6611db10a4ed980c"),
    ("qwen3moe-all", "4bit", "8bit", "0df0b77212e0b1122e424c73eb53dde3229ff3cbfb3ab2fc296de2a8b2fc90db"),
    ("qwen3moe-all", "4bit", "4bit", "c5d500b3429e8d9e36764deae90a89d65be4bd567da616df2fd218729fff78a1"),
    ("bert-mean", "8bit", "8bit", "41ff1c61ab4610f96571bdcba9f7a7e1e344004fe7c14b7170e2018c0d9b4880"),
    ("bert-mean", "8bit", "4bit", "b7dee97efa315f1f64135be5ebb8c6aa5948e81b6a40475de4ca42a504f6de5f"),
    ("bert-mean", "4bit", "8bit", "a5eb51f34ff9fb443750845bc2b918bd746ea7ad93fa3d4402bd83afe3984efd"),
    ("bert-mean", "4bit", "4bit", "ec0cacd47e4ef98e2ba62052d705edddaf5be7e17413a12939e80e72763d1af3"),
    ("bert-cls", "8bit", "8bit", "ce3af637e749e6b589ab2b20a72c708e2e1cc6d25e24fa3d672a3676fc374478"),
    ("bert-cls", "8bit", "4bit", "234cad13fcf866884bf73895a716c9712af8f027bb8ea1dac5d3e86c1787ebc3"),
    ("bert-cls", "4bit", "8bit", "3cc0b60e051e7a016ed7e0b655b3b86fd3fa6c4f9c3a9ab115f0d0bc6d6756bb"),
    ("bert-cls", "4bit", "4bit", "64e3860d9cb6d75d770a1a47153230c0a9d1d1b00e70d1bd41e8caa621231573"),
  ])
  func digests(_ name: String, _ stored: String, _ format: String, _ digest: String) throws {
    let weights = try #require(WeightFormat(rawValue: format))
    let manifest = try HuggingFaceImporter(
      directory: Fixtures.path("architectures/\(name)/\(stored)"), options: ImportOptions(threads: 3, weights: weights)
    ).convert { _ in }
    #expect(manifest.digest.hex == digest)
  }
}
