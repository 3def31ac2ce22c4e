enum ModelGraphPlaceholder {}
