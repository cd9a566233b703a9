// The address of an invitation is as good as a password: it is not to stay in the list of visited pages.
history.replaceState(null, "", "/rate");
