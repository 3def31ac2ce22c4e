import Digests
import ModelFiles
import ModelGraph
import Testing

/// The Python reference, written from docs/spec/model.md alone, makes the same manifests and weights.
///
///     $(Reference/setup.sh) Reference/oracle.py from-hf DIRECTORY model.evpack [--weights 4bit|8bit|16bit]
@Suite struct GoldenDigestTests {
  /// Fixture, the grid of its weights, the format they are converted to, and the model's digest.
  @Test(arguments: [
    ("llama-llama3", "8bit", "8bit", "980f5495e1c9356f6cb1e8556781377c4143be1da3cd664003ff5490bf2419a0"),
    ("llama-llama3", "8bit", "4bit", "db84d035e05676c2427c4991b8fdcc24ef1095d57567fe6c53568471538dee3c"),
    ("llama-llama3", "4bit", "8bit", "9a7307d9aa4e6fdd261c55f24fbab5e5e4af2373bdef799630fe9873440605a5"),
    ("llama-llama3", "4bit", "4bit", "78bfbfc76badb980aec38ac07e6fd464d6a87ad36a8d8c23c8e75353837af76f"),
    ("llama-linear", "8bit", "8bit", "cb6aa4e8f460b53eda7df1dc799994b2f9d39520027347ff21b54a072cde963c"),
    ("llama-linear", "8bit", "4bit", "e05c65a917cf5ef8e14ce4a2252113d34187a45ed392aeb07c485338cac3bcbb"),
    ("llama-linear", "4bit", "8bit", "2091af2121de692dd8cb939f42f7cb299f5a79e323a51bd8510fee554dcfcbcb"),
    ("llama-linear", "4bit", "4bit", "91b6680846c880b79df70ef3b61332deb1b93b156de8504dc8677b62ea72db55"),
    ("mistral", "8bit", "8bit", "eff4a57aa32392af2bc05a19b9c94a5941fcc7d898d6941c911fcf4d5c85ec75"),
    ("mistral", "8bit", "4bit", "f07f4b2f1485e257c6444054bd9a9c751368b4a8c7641b0102ef67968d3cbfd4"),
    ("mistral", "4bit", "8bit", "ac0699dfb51d9efbf54829375cd7a002e69f949c797fb96e9413a56aa48cd1ca"),
    ("mistral", "4bit", "4bit", "cf216a88d8707831e10ebb14493242e28368bdd4037b90e89a0c69b498cd9a31"),
    ("qwen2", "8bit", "8bit", "20dafea9032f3277d858579632f4fef8331c3a695e382bcceaf8c20367d8ce58"),
    ("qwen2", "8bit", "4bit", "33951447e54750e6b40dbb71a608575255ba7a3ae8599b3d183f13b65248b5f0"),
    ("qwen2", "4bit", "8bit", "c398f952da5f6b3d833c353632e535ae54cf7c89c4d373d466e0fee70c86055d"),
    ("qwen2", "4bit", "4bit", "105ed49fe52c702e5082ea73a182b2b0e1ce7f91407d10404c57b5e68420ee4b"),
    ("qwen3", "8bit", "8bit", "0ae27640ee2fd91344bd42a0407b12c0e662ede4f48c213d74c6f66325010574"),
    ("qwen3", "8bit", "4bit", "5da1220d5b01127da9871f86b82fb809357f38ef995cbb702fc808ab2bc0f8fb"),
    ("qwen3", "4bit", "8bit", "974723c4417a65768230cea36e410e25a1688386ba466c5ae3b5c9c2040694f3"),
    ("qwen3", "4bit", "4bit", "053a4b317a278f33d1544305e4730ebda00c7c8113fd73250b0c77662eaed290"),
    ("smollm3", "8bit", "8bit", "8be1b41e2fb2f42f4663ae54db82780dd432e1faaa2fcc364dee8463be8533a8"),
    ("smollm3", "8bit", "4bit", "9496a439e3b2d451340e654aac0272b39ef7eb363a48cbc1a82ecea907807d51"),
    ("smollm3", "4bit", "8bit", "93c63e170e7e50572eb040d0d3a81e63eb00f4a22c9ea3eb1175eabd7e62ae6f"),
    ("smollm3", "4bit", "4bit", "0af8ec2aa7fa0a45d6ebc22791cbc310ccfb3569e152f36022b1e02044faf003"),
    ("gemma2", "8bit", "8bit", "72652aa45c3269fc89892c12750aeff686b9d8edd5776cbb55a9ce0d6263c2c8"),
    ("gemma2", "8bit", "4bit", "b5e73599cf4f44ffdf0bd0f9b904adce0852b491970045ecf2a9291ae7848678"),
    ("gemma2", "4bit", "8bit", "83fc2eb49e2d212a6d2484c4dc1e64fa4f5c286f485fb26761e0b557a784480e"),
    ("gemma2", "4bit", "4bit", "513a859659a95fb0893c5afd2523783256307a67fbbba6df9982080bd7b8caf8"),
    ("gemma3", "8bit", "8bit", "f02c0a6805a6faf6c4f353d0741f2fa33c31e1ab5730c8db60fd5f40a1dd1503"),
    ("gemma3", "8bit", "4bit", "a46edec96e4f036b00d054500f12d6921f9d232ba76c22926cd371bbe01b1848"),
    ("gemma3", "4bit", "8bit", "75cf554869fc9088ec8dccd50846fc987d50efcee3c43d11d9e71ff8d0e31e35"),
    ("gemma3", "4bit", "4bit", "81b68dc65d72bcb2ac1e0aab0f97d43a8a07856650649f49b5d82c6cf23d9c57"),
    ("phi3", "8bit", "8bit", "37e8c7f84ec340fd061047c878a907c56ad7f6212a3b27cd17462693871c308c"),
    ("phi3", "8bit", "4bit", "d59fe1cc4da5703b21843ea0fa6c7fef92b228dc92295b61abbbc2c55b2a8ff2"),
    ("phi3", "4bit", "8bit", "a36e7eb4f2b545c10c6d0230e7394f728cd0410981281211ce376af9c65697e4"),
    ("phi3", "4bit", "4bit", "250a365327250a71cc4eb7737e113f84587be0a998c7aa8c4737139c976b66ee"),
    ("phi3-longrope", "8bit", "8bit", "50b0fedadbe35a4fc67c906e0b26fe8cb53de6cde78971293fbe323518f151c4"),
    ("phi3-longrope", "8bit", "4bit", "55ba1bcb1828e71add4ac6cc72caeb9d8b639a0a1db9b5a7646bf50313fe8fb5"),
    ("phi3-longrope", "4bit", "8bit", "3fff4237c0afadc44a8b14e7471fdca1a0833b603689b08e7157a5e08e9d94a1"),
    ("phi3-longrope", "4bit", "4bit", "138055aa38d964a12b82cf797de7baa94b56de6e13904141af29556eeb1a9572"),
    ("mixtral", "8bit", "8bit", "18a7a7fe0f952da2b8157216955bbc7729de83d37583099d7de5689286c40af7"),
    ("mixtral", "8bit", "4bit", "973071dac561547bee3f27697a5a18397d9b09b04d89052b5e71b7a2a10cc8cc"),
    ("mixtral", "4bit", "8bit", "86c6f1833fccbf55f755ba5390a81a92d8079757af33625421943fc6e7d481c7"),
    ("mixtral", "4bit", "4bit", "7e5ed4cace11556b73252ab954c770e13cafdfcf64fe08327b971a3e4d4d87bf"),
    ("qwen3moe", "8bit", "8bit", "58482ff552b8196a01682d2e2a1b84100c0bff09d1e00d386e8694febed669e9"),
    ("qwen3moe", "8bit", "4bit", "9739a7cd509c527a70f00f9c0ab1acaa5fbd05dbc6034940d620bd23121da9d9"),
    ("qwen3moe", "4bit", "8bit", "a54c63e7f56c802373bcf8e16fdaa6636eee623e3052c18ed88f0a2dfc8aa0d1"),
    ("qwen3moe", "4bit", "4bit", "6af9bca25d65f974f32a97066f9bea8fd121018bc7e5a35ca5d77a36c00b569c"),
    ("qwen3moe-all", "8bit", "8bit", "c17fcb4c88788bee3706dfb37c07f7253da4c03dd72834f92b68a64e8e09ad01"),
    ("qwen3moe-all", "8bit", "4bit", "62970ddd1f0cfefebb37d1f49cd04e9bf00b1ad86a367a4621e0bac61726f729"),
    ("qwen3moe-all", "4bit", "8bit", "05df84ebf51e5965b9fbf1ab893b5e285c17ea0e57ee8c18fe94ee3977b62412"),
    ("qwen3moe-all", "4bit", "4bit", "6620021a6e0f7ade9a750ef1ae132b357f5a1932e593cc6695d1eda82cc6b327"),
    ("bert-mean", "8bit", "8bit", "95cc7959d6181387ce487548360c6ed70c307f5d9072b7583cdcfd93458a63e7"),
    ("bert-mean", "8bit", "4bit", "1264b3c6967e69349525c990f763f7a76cc928f13a3531c902052ef90995daa7"),
    ("bert-mean", "4bit", "8bit", "9ce30b83ee4df395655718cb1fba35e1dfc22ac174fa10b770c446f9619b12ee"),
    ("bert-mean", "4bit", "4bit", "3cc7d369e31fc91d946c397283df7b1dd6bdd70a199a5b90b1a5b89919209c90"),
    ("bert-cls", "8bit", "8bit", "5a9410eff2c397edd463d20de0bc4d4ac242ced51334d5fae3ba7e63e2da2068"),
    ("bert-cls", "8bit", "4bit", "bbe7f63ded217a008238dec706b8f5988aa1a099bdd45fc31e0e1b6b872fd103"),
    ("bert-cls", "4bit", "8bit", "cef8421bdbdfe9b669bfb421020d7337072499633e9551ce868855f6ba37a1b0"),
    ("bert-cls", "4bit", "4bit", "bdebacb5155f83fb153a69b84b19390acb7472f759255cd5b5a7eca616fce654"),
    ("bert-mean", "8bit", "automatic", "f0a3ae664dd9936a3a8d801cd4c44ff27616731a4c09a1bd7884b2ef3613a555"),
    ("bert-mean", "8bit", "16bit", "f0a3ae664dd9936a3a8d801cd4c44ff27616731a4c09a1bd7884b2ef3613a555"),
    ("bert-mean", "4bit", "16bit", "7ab7b6e61f93ac9b3734780338175378b33790789dfed18f2c7f1e38ed7b2da0"),
    ("bert-cls", "8bit", "automatic", "c06b8fe8290ecc8e4f9bc35d2d38ebfac77f4ccf99bbd1fbdd624e8db9bc7b8c"),
    ("bert-cls", "8bit", "16bit", "c06b8fe8290ecc8e4f9bc35d2d38ebfac77f4ccf99bbd1fbdd624e8db9bc7b8c"),
    ("bert-cls", "4bit", "16bit", "f981ab8e791178153765335f6fe78f03156986f638fb1f1829fc384956198623"),
    ("llama-llama3", "4bit", "16bit", "01e370216ca1a4bfb0eee75e230b6ac6b5a39d27992683ee5cd33ccccc1a5683"),
    ("qwen3moe", "4bit", "16bit", "50e0d332d019efecffccb61679f34adb37b8ad698bdf104fc004e7d63fd788dc"),
    ("gemma3", "4bit", "16bit", "1d8aecfd3e81179905b7b149179adeea4a69d087f93979e97a96e1e580eb68bf"),
  ])
  func digests(_ name: String, _ stored: String, _ format: String, _ digest: String) throws {
    let weights = try #require(WeightFormat(rawValue: format))
    let manifest = try HuggingFaceImporter(
      directory: Fixtures.path("architectures/\(name)/\(stored)"), options: ImportOptions(threads: 3, weights: weights)
    ).convert { _ in }
    #expect(manifest.digest.hex == digest)
  }
}
