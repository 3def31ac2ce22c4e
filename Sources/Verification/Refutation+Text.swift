import Digests
import ModelGraph
import Receipts
import Transparency

extension Refutation: CustomStringConvertible {
  public var description: String {
    switch self {
    case .malformed(let rejection): rejection.description
    case .payloadNotCanonical(let at): "the payload is not canonical JSON; it differs at byte \(at)"
    case .signatureInvalid(let key): "the signature was not made by \(key) over these bytes"
    case .keyIDMismatch(let stated, let found):
      "the envelope names the key \(stated.hex), and the statement's key is \(found.hex)"
    case .keyNotExpected(let key): "it is signed by \(key), which is none of the keys you named"
    case .subjectNameMismatch(let subject, let id): "the subject is named \(subject), and the response is \(id)"
    case .subjectDigestMismatch(let subject, let output):
      "the subject's digest is \(subject), and the output commitment is \(output)"
    case .usageMismatch(let path, let stated, let found): "\(path) is \(stated), and it should be \(found)"
    case .randomnessUnbound(let t):
      "tokens were drawn at a temperature of \(t) millionths with neither a seed nor a nonce"
    case .nodeNonceBesideSeed(let seed): "the seed \(seed) was asked for, and the node added a nonce of its own"
    case .nonceNotExpected(let stated, let sent):
      "the nonce is \"\(Hex.string(stated))\", and you sent \"\(Hex.string(sent))\""
    case .deliveredMoreThanGenerated(let delivered, let generated):
      "\(delivered) tokens are said to be delivered, and \(generated) were generated"
    case .deliveredLessThanGenerated(let delivered, let generated, let finish):
      "\(delivered) of \(generated) tokens were delivered, and yet the answer is said to have ended "
        + "by \(finish.rawValue)"
    case .modelDigestMismatch(let stated, let found):
      "the statement names the model \(stated), and the manifest in the file is \(found)"
    case .modelManifestMalformed(let rejection): rejection.description
    case .modelNotExpected(let digest): "the model is \(digest), which is not the one you named"
    case .biasOutsideVocabulary(let token, let size):
      "a logit bias is given for token \(token), and the model's tokens end at \(size - 1)"
    case .dimensionsExceeded(let dimensions, let size):
      "\(dimensions) dimensions are stated, and the model has \(size)"
    case .notAnEncoder: "the model makes no embeddings"
    case .contextExceeded(let prompt, let maxTokens, let context):
      "\(prompt) prompt tokens and up to \(maxTokens) more do not fit the model's context of \(context)"
    case .endpointMismatch(let stated, let opened):
      "the statement is about \(stated.rawValue), and the opened request is one of \(opened.rawValue)"
    case .promptMismatch(let stated, let found):
      "the opened request gives \(found), and the statement commits to \(stated)"
    case .openingOfAnotherKind: "the statement is about one kind of answer, and the opening shows another kind"
    case .requestNotExpected: "the opened request is not the one you sent"
    case .inputTokenCountMismatch(let stated, let opened): "\(stated) input tokens are stated, and \(opened) are opened"
    case .inputTokensMismatch(let stated, let found):
      "the opened input tokens give \(found), and the statement commits to \(stated)"
    case .outputTokenCountMismatch(let stated, let opened):
      "\(stated) output tokens are stated, and \(opened) are opened"
    case .outputTokensMismatch(let stated, let found):
      "the opened output tokens give \(found), and the statement commits to \(stated)"
    case .inputTokenOutsideVocabulary(let i, let token, let size):
      "input token \(i) is \(token), and the model's tokens end at \(size - 1)"
    case .outputTokenOutsideVocabulary(let i, let token, let size):
      "output token \(i) is \(token), and the model's tokens end at \(size - 1)"
    case .textMismatch(let stated, let found):
      "the opened text gives \(found), and the statement commits to \(stated)"
    case .textNotExpected: "the opened text is not the one you received"
    case .inputCountMismatch(let stated, let opened): "\(stated) inputs are stated, and \(opened) are opened"
    case .emptyInput(let i): "input \(i) has no tokens"
    case .inputTooLong(let i, let tokens, let context):
      "input \(i) has \(tokens) tokens, and the model's context is \(context)"
    case .embeddingInputsMismatch(let stated, let found):
      "the opened input tokens give \(found), and the statement commits to \(stated)"
    case .vectorCountMismatch(let stated, let inputs, let opened):
      "\(stated) embeddings of \(inputs) inputs are stated, and \(opened) are opened"
    case .vectorLengthMismatch(let i, let stated, let opened):
      "embedding \(i) has \(opened) elements, and \(stated) are stated"
    case .vectorsMismatch(let stated, let found):
      "the opened embeddings give \(found), and the statement commits to \(stated)"
    case .vectorsNotExpected: "the opened embeddings are not the ones you received"
    case .streamHeadMismatch(let stated, let found):
      "the delivered tokens give the chain head \(found), and the statement says \(stated)"
    case .endOfSequenceMissing(let finish, let last):
      "the answer is said to have ended by \(finish.rawValue), and "
        + (last.map { "its last token \($0) is not an end" } ?? "it has no tokens")
    case .endOfSequenceInside(let i, let token):
      "output token \(i) is \(token), which ends an answer, and the answer did not end there"
    case .tokenLimitNotReached(let count, let limit):
      "the answer is said to have reached its limit of \(limit) tokens, and has \(count)"
    case .tokenLimitPassed(let count, let limit): "the answer has \(count) tokens, and its limit is \(limit)"
    case .tokenLimitHidden(let count, let finish):
      "the answer reached its limit of \(count) tokens, and is said to have ended by \(finish.rawValue)"
    case .noTokens(let finish):
      "there are no output tokens, and yet the answer is said to have ended by \(finish.rawValue)"
    case .noStopStrings: "the answer is said to have ended at a stop string, and the parameters have none"
    case .notIncluded(let rejection): "the receipt is not in the log under this checkpoint: \(rejection)"
    case .checkpointRefused(let rejection): rejection.description
    case .logNotPromised(let log, let promised):
      "the checkpoint is signed by \(log), and the log that the node promised is \(promised)"
    case .cosignatureRefused(let rejection): rejection.description
    case .quorumNotReached(let shortfall): shortfall.description
    case .promiseBeforeStatement(let loggedBy, let time):
      "it is promised to be logged by \(loggedBy), which is before it was made (\(time))"
    case .loggedBeforeStatement(let seen, let time):
      "the witnesses had seen it by \(seen), and the statement says that it was made at \(time)"
    case .promiseBroken(let log, let loggedBy, let size, let seen):
      "the node promised it in the log \(log.name) by \(loggedBy); at \(seen) none of its \(size) entries was it"
    case .logForked(let log, let size, let stated, let found):
      "the log \(log.name) shows two histories: the file's checkpoint says that its first \(size) entries have the root "
        + "\(stated), and those that were looked through have \(found)"
    case .keyHistoryRefused(let fault): fault.description
    case .keyHistoryOfAnother(let key): "the entries about keys are those of another node: none names \(key)"
    case .keyRevoked(let key, let from, let seen, let logged):
      "the key \(key) is revoked from \(from) on"
        + (logged.map { ", which the witnesses saw at \($0)" } ?? "") + ", and "
        + (seen.map { "the witnesses saw the receipt at \($0)" } ?? "no witness shows that the receipt is older")
    case .requestNotRenderable(let message): "the model cannot render the opened request: \(message)"
    case .renderingDiffers(let at, let rendered, let opened):
      "the request renders to \(rendered) tokens, \(opened) are opened, and they differ from token \(at) on"
    case .tokensNotDecodable(let message): "the output tokens cannot be decoded: \(message)"
    case .stopStringMissing: "the answer is said to have ended at a stop string, and its tokens contain none"
    case .stopStringEarlier(let tokens): "a stop string was complete after \(tokens) tokens, and the answer went on"
    case .stopStringIgnored(let finish):
      "the answer contains a stop string, and is said to have ended by \(finish.rawValue)"
    case .textDiffers(let at): "the output tokens decode to another text; it differs at byte \(at)"
    case .tokenDiffers(let i, let stated, let recomputed):
      "output token \(i) is stated as \(stated), and the model gives \(recomputed)"
    case .vectorDiffers(let i, let at):
      "embedding \(i) is not the model's: it differs from element \(at) on"
    }
  }

  /// What it means and what to do.
  public var hint: String {
    switch self {
    case .malformed, .payloadNotCanonical, .modelManifestMalformed:
      "the file was damaged or altered, or was not made by Evident; fetch it again from the node"
    case .signatureInvalid, .keyIDMismatch:
      "the statement was altered after it was signed, or signed by someone else; fetch it again from the node"
    case .keyNotExpected: "compare the key with the one the node's operator publishes"
    case .subjectNameMismatch, .subjectDigestMismatch, .usageMismatch, .randomnessUnbound, .nodeNonceBesideSeed,
      .deliveredMoreThanGenerated, .deliveredLessThanGenerated, .tokenLimitPassed, .tokenLimitHidden,
      .tokenLimitNotReached, .noTokens, .noStopStrings, .biasOutsideVocabulary, .contextExceeded, .dimensionsExceeded,
      .notAnEncoder, .vectorCountMismatch, .emptyInput, .inputTooLong:
      "the statement contradicts itself; if its signature passes, keep the file: it is evidence against the node"
    case .nonceNotExpected, .requestNotExpected, .textNotExpected, .vectorsNotExpected:
      "this is evidence about another answer than yours"
    case .modelNotExpected: "another model answered than the one you wanted"
    case .modelDigestMismatch: "the manifest was altered or swapped; get it from whoever you trust for the model"
    case .endpointMismatch, .promptMismatch, .inputTokenCountMismatch, .inputTokensMismatch, .outputTokenCountMismatch,
      .outputTokensMismatch, .textMismatch, .streamHeadMismatch, .openingOfAnotherKind, .inputCountMismatch,
      .embeddingInputsMismatch, .vectorLengthMismatch, .vectorsMismatch:
      "the opening was altered, or the node's statement is about something else than it delivered"
    case .notIncluded, .cosignatureRefused:
      "the proof was altered, or belongs to another receipt; fetch the file again from the node"
    case .checkpointRefused:
      "your policy does not name this log, or the checkpoint was altered; compare the log's key with what you know of it"
    case .logNotPromised: "the proof is one of another log than the receipt names; ask the node for the promised one"
    case .quorumNotReached:
      "the log may be honest, but not enough witnesses of your policy say so; a log that hides something looks the same"
    case .promiseBeforeStatement: "the statement contradicts itself; keep the file: it is evidence against the node"
    case .loggedBeforeStatement: "the node states a wrong time; keep the file: it is evidence against the node"
    case .promiseBroken:
      "keep the file: the receipt itself is evidence against the node, if what was looked into is the log as it is now"
    case .logForked:
      "keep the file, and the checkpoint that the log shows now: both signed, they are evidence against the log"
    case .keyHistoryRefused, .keyHistoryOfAnother:
      "the entries were altered, or your policy does not know their log; ask the node for its key history"
    case .keyRevoked(_, _, let seen?, let logged?) where seen < logged:
      "it was disowned after it was logged: that this key signed it, and since when that is public, stands; whether the "
        + "key was in other hands by then, only its owner says"
    case .keyRevoked: "the key may be in other hands; believe only what was in the log before it was revoked"
    case .inputTokenOutsideVocabulary, .outputTokenOutsideVocabulary, .endOfSequenceMissing, .endOfSequenceInside,
      .requestNotRenderable, .renderingDiffers, .tokensNotDecodable, .stopStringMissing, .stopStringEarlier,
      .stopStringIgnored, .textDiffers, .tokenDiffers, .vectorDiffers:
      "the model did not give this answer to this request; if the signature passes, keep the file: it is evidence "
        + "against the node"
    }
  }
}
