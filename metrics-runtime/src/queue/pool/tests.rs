//! Which segments a pool hands out, and which memory it keeps.

use std::mem::MaybeUninit;

use super::*;

/// Gives back all segments but these.
fn keep(pool: &SegmentPool, taken: &mut Vec<OwnedSegment>, kept: usize) {
    taken.drain(kept..).for_each(|segment| pool.put(segment));
}

fn take(pool: &SegmentPool, count: usize) -> Vec<OwnedSegment> {
    (0..count).map(|_| pool.take()).collect()
}

/// How many segments each chunk has in use.
fn used(pool: &SegmentPool) -> Vec<usize> {
    pool.0.lock().iter().map(|chunk| chunk.used).collect()
}

#[test]
fn the_lowest_free_segment_comes_first() {
    let pool = SegmentPool::new();
    let mut taken = take(&pool, FIRST_CHUNK);
    let addresses: Vec<_> = taken.iter().map(|segment| segment.as_ptr().addr()).collect();
    assert!(addresses.windows(2).all(|pair| pair[0] + size_of::<Segment>() == pair[1]));
    for index in [9, 3, 5] {
        pool.put(taken.remove(index));
    }
    let again: Vec<_> = take(&pool, 3).iter().map(|segment| segment.as_ptr().addr()).collect();
    // The second one was at index 4 when the first was out, and so on.
    assert_eq!(again, [addresses[3], addresses[6], addresses[9]]);
    assert_eq!(used(&pool), [FIRST_CHUNK]);
}

#[test]
fn every_segment_of_a_chunk_is_aligned_and_free() {
    let pool = SegmentPool::new();
    for segment in take(&pool, FIRST_CHUNK) {
        assert!(segment.as_ptr().is_aligned());
        // SAFETY: the segment is this test's alone.
        assert!(unsafe { segment.as_ptr().as_ref() }.is_some_and(Segment::is_free));
    }
    // SAFETY: a segment of zero bytes is a free one.
    let zeros = unsafe { Box::<Segment>::new(MaybeUninit::zeroed().assume_init()) };
    assert!(zeros.is_free());
}

#[test]
fn a_small_chunk_is_kept_and_a_large_one_is_freed_when_it_is_empty() {
    let pool = SegmentPool::new();
    let mut taken = take(&pool, FIRST_CHUNK);
    assert_eq!(used(&pool), [FIRST_CHUNK]);
    taken.extend(take(&pool, MAX_KEPT));
    assert_eq!(used(&pool), [FIRST_CHUNK, MAX_KEPT]);
    keep(&pool, &mut taken, FIRST_CHUNK);
    assert_eq!(used(&pool), [FIRST_CHUNK, 0], "it keeps as many segments as the first chunk has");
    taken.extend(take(&pool, MAX_KEPT + 1));
    keep(&pool, &mut taken, FIRST_CHUNK);
    assert_eq!(used(&pool), [FIRST_CHUNK]);
    keep(&pool, &mut taken, 0);
    assert_eq!(used(&pool), [0]);
}

#[test]
fn a_sparse_chunk_becomes_empty() {
    let pool = SegmentPool::new();
    let first = take(&pool, FIRST_CHUNK);
    let mut second = take(&pool, MAX_KEPT + 10 * MAX_USED_UP);
    keep(&pool, &mut second, 10);
    assert_eq!(used(&pool), [FIRST_CHUNK, 10]);
    second.push(pool.take());
    assert_eq!(used(&pool), [FIRST_CHUNK, 11], "enough of them are in use");
    keep(&pool, &mut second, 9);
    let mut third = take(&pool, 1);
    assert_eq!(used(&pool), [FIRST_CHUNK, 9, 1]);
    keep(&pool, &mut second, 0);
    assert_eq!(used(&pool), [FIRST_CHUNK, 1]);
    keep(&pool, &mut third, 0);
    for segment in first {
        pool.put(segment);
    }
}

#[test]
fn of_two_sparse_chunks_one_is_used() {
    let pool = SegmentPool::new();
    let mut taken = take(&pool, FIRST_CHUNK);
    for _ in 0..2 {
        let mut sparse = take(&pool, MAX_KEPT + 2 * MAX_USED_UP);
        keep(&pool, &mut sparse, 1);
        taken.append(&mut sparse);
    }
    assert_eq!(used(&pool), [FIRST_CHUNK, 1, 1]);
    taken.push(pool.take());
    assert_eq!(used(&pool), [FIRST_CHUNK, 2, 1]);
    keep(&pool, &mut taken, 0);
}
