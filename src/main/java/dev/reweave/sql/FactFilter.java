package dev.reweave.sql;

import dev.reweave.gather.TensorDigest;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongPredicate;
import java.util.function.Predicate;
import org.apache.spark.sql.sources.And;
import org.apache.spark.sql.sources.EqualNullSafe;
import org.apache.spark.sql.sources.EqualTo;
import org.apache.spark.sql.sources.Filter;
import org.apache.spark.sql.sources.GreaterThan;
import org.apache.spark.sql.sources.GreaterThanOrEqual;
import org.apache.spark.sql.sources.In;
import org.apache.spark.sql.sources.IsNotNull;
import org.apache.spark.sql.sources.LessThan;
import org.apache.spark.sql.sources.LessThanOrEqual;
import org.apache.spark.sql.sources.Not;
import org.apache.spark.sql.sources.Or;
import org.apache.spark.sql.sources.StringContains;
import org.apache.spark.sql.sources.StringEndsWith;
import org.apache.spark.sql.sources.StringStartsWith;

/**
 * Filters on what is known of tensors before they are read: columns that are never NULL, compared
 * with constants that are none, so that true and false is all there is.
 */
final class FactFilter {
  private FactFilter() {}

  /** The filter as a predicate; empty if it asks for something else, and Spark must apply it. */
  static Optional<Predicate<TensorEntry>> of(Filter filter) {
    if (filter instanceof And and) {
      return of(and.left()).flatMap(left -> of(and.right()).map(left::and));
    }
    if (filter instanceof Or or) {
      return of(or.left()).flatMap(left -> of(or.right()).map(left::or));
    }
    if (filter instanceof Not not) {
      return of(not.child()).map(Predicate::negate);
    }
    if (filter instanceof IsNotNull known) {
      return on(known.attribute(), Object.class, value -> true);
    }
    if (filter instanceof In in) {
      return in(in.attribute(), in.values());
    }
    if (filter instanceof EqualTo equal) {
      return in(equal.attribute(), equal.value());
    }
    if (filter instanceof EqualNullSafe equal) {
      return in(equal.attribute(), equal.value());
    }
    return ofText(filter).or(() -> ofNumber(filter));
  }

  private static Optional<Predicate<TensorEntry>> ofText(Filter filter) {
    if (filter instanceof StringStartsWith starts) {
      return on(starts.attribute(), String.class, text -> text.startsWith(starts.value()));
    }
    if (filter instanceof StringEndsWith ends) {
      return on(ends.attribute(), String.class, text -> text.endsWith(ends.value()));
    }
    if (filter instanceof StringContains contains) {
      return on(contains.attribute(), String.class, text -> text.contains(contains.value()));
    }
    return Optional.empty();
  }

  private static Optional<Predicate<TensorEntry>> ofNumber(Filter filter) {
    if (filter instanceof GreaterThan more && more.value() instanceof Long limit) {
      return onNumber(more.attribute(), number -> number > limit);
    }
    if (filter instanceof GreaterThanOrEqual least && least.value() instanceof Long limit) {
      return onNumber(least.attribute(), number -> number >= limit);
    }
    if (filter instanceof LessThan less && less.value() instanceof Long limit) {
      return onNumber(less.attribute(), number -> number < limit);
    }
    if (filter instanceof LessThanOrEqual most && most.value() instanceof Long limit) {
      return onNumber(most.attribute(), number -> number <= limit);
    }
    return Optional.empty();
  }

  private static Optional<Predicate<TensorEntry>> in(String column, Object... constants) {
    List<Object> all = Arrays.asList(constants);
    if (all.stream().anyMatch(Objects::isNull)) {
      return Optional.empty();
    }
    Set<Object> wanted = new HashSet<>(all);
    if (all.stream().allMatch(String.class::isInstance)) {
      return on(column, String.class, wanted::contains);
    }
    return all.stream().allMatch(Long.class::isInstance)
        ? on(column, Long.class, wanted::contains)
        : Optional.empty();
  }

  private static Optional<Predicate<TensorEntry>> onNumber(String column, LongPredicate test) {
    return on(column, Long.class, test::test);
  }

  private static <T> Optional<Predicate<TensorEntry>> on(
      String name, Class<T> type, Predicate<T> test) {
    return TensorColumn.named(name)
        .filter(column -> column.alwaysHolds(type))
        .map(column -> entry -> test.test(type.cast(fact(column, entry))));
  }

  private static Object fact(TensorColumn column, TensorEntry entry) {
    return column.value(entry, TensorDigest.NONE).orElseThrow();
  }
}
