// The entry point of the inspector.
