"""What a document defines: its equations collected, typed, and completed where gates are only named."""
