/** The volume: which copy of the header counts, and how several devices make one file system (format sections 2, 3). */
package io.hammer2.fs.volume;
