/** Support for tests, shared with the modules above: unpacked interoperability images and hostile mutations of them. */
package io.hammer2.fs.testing;
