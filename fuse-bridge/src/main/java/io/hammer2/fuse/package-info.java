/**
 * FUSE without a file system: what a transport serves ({@link io.hammer2.fuse.FuseOperations}, by node id) and how one is
 * mounted ({@link io.hammer2.fuse.FuseTransport}). Nothing here knows HAMMER2, and nothing but a transport knows a wire format.
 */
package io.hammer2.fuse;
