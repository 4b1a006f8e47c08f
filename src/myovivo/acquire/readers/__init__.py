"""One small file per format. Each turns a file into a `Recording`, a `VideoClip` or a `RawVelocity`."""
