/**
 * What can still be had from a volume that is damaged, or of what was deleted: old roots are searched for on the raw media. Uses media, codec and
 * devices only, as what it reads would be refused by the file system; it writes nothing to them.
 */
package io.hammer2.fs.recover;
