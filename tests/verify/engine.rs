//! A real Docker engine: it pulls what `verify --image` accepts with the same credential, and is refused
//! what `verify` refuses.
