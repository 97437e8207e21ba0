/**
 * The topology below an inode: block tables, and indirect blocks between them and the leaves (format section 7).
 *
 * <p>Readers walk immutable blocks, from reference to block to reference, and share nothing that changes.
 */
package io.hammer2.fs.chain;
