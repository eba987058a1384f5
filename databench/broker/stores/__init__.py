"""Who keeps state; stores, and the tables that the loop works on."""
