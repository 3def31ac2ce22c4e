import Hummingbird
import GRDB
enum ServerPlaceholder {}
