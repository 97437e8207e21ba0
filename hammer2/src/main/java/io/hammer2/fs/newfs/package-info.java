/**
 * Makes a file system (format section 17). Uses {@code media}, {@code codec} and block devices only, so that what it writes
 * does not depend on the code that will read it.
 */
package io.hammer2.fs.newfs;
