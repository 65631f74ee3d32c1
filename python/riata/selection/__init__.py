"""Which of the selected features to believe: selection with bounds on its errors."""
