"""An open benchmark of identification: recordings from seeds, anybody's answers, scores."""
