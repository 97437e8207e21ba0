/**
 * Programs that work on a mounted volume as users' programs do, at random from a seed, and know what they must find there.
 * JDK only: the scripts compile this folder by itself.
 */
package io.hammer2.tools.stress;
