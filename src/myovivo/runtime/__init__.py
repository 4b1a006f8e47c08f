"""What every room stands on: settings, files, recipes, devices, many workers, progress."""
