/** The PFSs of a volume: roots of directory trees, found by label in the super-root (format section 9). */
package io.hammer2.fs.pfs;
