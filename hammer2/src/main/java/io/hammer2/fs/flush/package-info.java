/** Brings what changed to the medium, bottom up: children hand their parents new references. */
package io.hammer2.fs.flush;
