/** Goes over all files below a path, in small steps beside whatever else is done there: deduplication and recompression. */
package io.hammer2.fs.sweep;
