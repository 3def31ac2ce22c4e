import Foundation
import Inference

/// A profile as a Markdown table.
struct ProfileTable {
  private let profile: StepProfile

  init(_ profile: StepProfile) { self.profile = profile }

  func print(_ title: String) {
    let total = max(1, profile.rows.reduce(0) { $0 + $1.nanoseconds })
    Swift.print("\n\(title): \(String(format: "%.2f", Double(total) / 1e6)) ms\n")
    Swift.print("| step | share | ms | GMAC/s | GB/s of weights |\n| --- | --- | --- | --- | --- |")
    for row in profile.rows {
      let nanoseconds = Double(max(1, row.nanoseconds))
      let rates =
        row.multiplications == 0
        ? " | "
        : String(
          format: "%.0f | %.1f", Double(row.multiplications) / nanoseconds, Double(row.weightBytes) / nanoseconds)
      let share = String(format: "%.1f %% | %.2f", nanoseconds / Double(total) * 100, nanoseconds / 1e6)
      Swift.print("| \(row.name) | \(share) | \(rates) |")
    }
  }
}
