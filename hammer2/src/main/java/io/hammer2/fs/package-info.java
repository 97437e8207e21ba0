/**
 * The public face of the file system: open a volume, mount a PFS, and operate on it by inode number.
 *
 * <pre>
 * Hammer2.open(runtime, devices, options) ─► Hammer2.mount(label) ─► FileSystem.lookup, read, readdir ...
 * </pre>
 *
 * <p>{@link io.hammer2.fs.Hammer2} is called from ordinary threads, {@link io.hammer2.fs.FileSystem} from LWKT threads of any
 * cpu. Below lie, each allowed to use only what follows it: {@code volume} (headers), {@code pfs}, {@code inode} (attributes,
 * files, directories), {@code chain} (topology), {@code io} (cache), {@code codec}, {@code media}.
 */
package io.hammer2.fs;
