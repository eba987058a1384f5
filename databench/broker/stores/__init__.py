"""Who keeps state; `memory` is the first."""
