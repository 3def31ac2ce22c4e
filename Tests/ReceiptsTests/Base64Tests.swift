import Digests
import Receipts
import Testing
