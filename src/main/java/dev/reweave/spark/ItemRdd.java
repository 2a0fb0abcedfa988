package dev.reweave.spark;

import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.apache.spark.Partition;
import org.apache.spark.SparkContext;
import org.apache.spark.TaskContext;
import org.apache.spark.rdd.RDD;
import scala.collection.Iterator;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;
import scala.reflect.ClassTag$;

/**
 * One partition for each item, with the machines where it is best worked on. What Spark makes of a
 * list does the same, and describes itself in JSON for Spark's pages, which the first time takes
 * more than a tenth of a second.
 */
final class ItemRdd<T> extends RDD<T> {
  private static final long serialVersionUID = 1L;

  private record Item<T>(int index, T value) implements Partition {}

  // What stays with the driver: a task is sent its own item.
  private final transient List<T> items;
  private final transient Function<T, List<String>> hosts;

  ItemRdd(SparkContext spark, List<T> items, Function<T, List<String>> hosts) {
    super(
        spark,
        CollectionConverters.asScala(List.<org.apache.spark.Dependency<?>>of()).toSeq(),
        ClassTag$.MODULE$.apply(Object.class));
    this.items = items;
    this.hosts = hosts;
  }

  @Override
  public Partition[] getPartitions() {
    return IntStream.range(0, items.size())
        .mapToObj(i -> new Item<>(i, items.get(i)))
        .toArray(Partition[]::new);
  }

  @Override
  public Seq<String> getPreferredLocations(Partition split) {
    return CollectionConverters.asScala(hosts.apply(items.get(split.index()))).toSeq();
  }

  @Override
  @SuppressWarnings("unchecked")
  public Iterator<T> compute(Partition split, TaskContext context) {
    return CollectionConverters.asScala(List.of(((Item<T>) split).value()).iterator());
  }
}
