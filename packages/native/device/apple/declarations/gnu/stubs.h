// For the syntax check: glibc lists here what it does not have for a target, and has no list for Apple's.
