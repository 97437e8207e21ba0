/**
 * Everywhere else, and as a fallback on Linux: jnr-fuse over libfuse 2.9, whose operations go by path. Names pass through Java
 * strings in it, so a name that is not UTF-8 is listed but cannot be opened.
 */
package io.hammer2.fuse.jnr;
