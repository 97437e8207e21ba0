/**
 * Everywhere else, and as a fallback on Linux: jnr-fuse over libfuse 2.9, whose operations go by path. Names reach
 * it as Java strings, in which bytes that are not UTF-8 are lost: such a name is listed as it is and found by comparing it with the
 * directory, but if two names in a directory differ in nothing else, neither can be opened.
 */
package io.hammer2.fuse.jnr;
