"""Another framework beside this program, on the same questions, models and machine."""
