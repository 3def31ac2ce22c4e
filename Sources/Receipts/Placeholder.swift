enum ReceiptsPlaceholder {}
