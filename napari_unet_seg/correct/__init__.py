"""From a user's rough marks to a mask: pure functions of arrays, without torch and Qt."""
