enum ModelFilesPlaceholder {}
