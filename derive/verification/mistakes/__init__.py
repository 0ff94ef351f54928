"""The mistakes that people make in backpropagation, generated for any network as edits of its sheet, a file a stage."""
