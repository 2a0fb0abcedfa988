package dev.reweave.testing;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.List;

/** A tensor with its bytes, of which a test cuts what ranks have. */
public final class WholeTensor {
  private final DType dtype;
  private final Shape shape;
  private final byte[] bytes;

  public WholeTensor(DType dtype, Shape shape, byte[] bytes) {
    this.dtype = dtype;
    this.shape = shape;
    this.bytes = bytes;
  }

  public DType dtype() {
    return dtype;
  }

  public Shape shape() {
    return shape;
  }

  public byte[] bytes() {
    return bytes;
  }

  /** One of the equal parts that ranks have along a dimension. */
  public WholeTensor part(int dim, int parts, int index) {
    long[] dims = shape.dims();
    dims[dim] /= parts;
    int inner = dtype.bytes();
    for (int d = dim + 1; d < dims.length; d++) {
      inner = Math.toIntExact(inner * shape.dim(d));
    }
    int length = Math.toIntExact(dims[dim] * inner);
    int stride = length * parts;
    ByteArrayOutputStream part = new ByteArrayOutputStream();
    for (int at = index * length; at < bytes.length; at += stride) {
      part.write(bytes, at, length);
    }
    return new WholeTensor(dtype, Shape.of(dims), part.toByteArray());
  }

  /** What lies under one index of the first dimension. */
  public WholeTensor at(int index) {
    WholeTensor one = part(0, Math.toIntExact(shape.dim(0)), index);
    long[] dims = shape.dims();
    return new WholeTensor(dtype, Shape.of(Arrays.copyOfRange(dims, 1, dims.length)), one.bytes);
  }

  /** One after the other along the first dimension. */
  public static WholeTensor joined(List<WholeTensor> parts) {
    long[] dims = parts.get(0).shape.dims();
    dims[0] = parts.stream().mapToLong(p -> p.shape.dim(0)).sum();
    ByteArrayOutputStream joined = new ByteArrayOutputStream();
    parts.forEach(p -> joined.writeBytes(p.bytes));
    return new WholeTensor(parts.get(0).dtype, Shape.of(dims), joined.toByteArray());
  }

  /** The first bit of the first element turned over. */
  public WholeTensor flipped() {
    byte[] other = bytes.clone();
    other[0] ^= 1;
    return new WholeTensor(dtype, shape, other);
  }
}
