use super::*;

const MIB: usize = 1 << 20;

fn memory(bytes: usize) -> (Arc<Memory>, Gauge, Counter) {
    let (held, cut) = (Gauge::default(), Counter::default());
    let memory = Memory::new(bytes, usize::MAX, held.clone(), cut.clone());
    (Arc::new(memory), held, cut)
}

#[tokio::test(start_paused = true)]
async fn what_is_held_is_counted_and_given_back() {
    let (memory, held, _) = memory(8 * MIB);
    let mut share = memory.share(Cut::detached());
    for body in [1, SMALL, SMALL + 1, 4 * MIB, MIB] {
        share.hold(body).await.unwrap();
    }
    assert_eq!(held.get(), i64::from(units(4 * MIB)) * 1024);
    share.answering(10_000);
    assert_eq!(held.get(), i64::from(units(10_000)) * 1024);
    drop(share);
    assert_eq!(held.get(), 0);
    for part in [&memory.small, &memory.large] {
        assert!(part.lock().is_empty());
    }
    assert_eq!(memory.small.units.available_permits(), 2 * MIB / UNIT);
    assert_eq!(memory.large.units.available_permits(), 6 * MIB / UNIT);
}

#[tokio::test(start_paused = true)]
async fn a_small_body_finds_room_beside_large_ones() {
    let (memory, ..) = memory(8 * MIB);
    let mut large = memory.share(Cut::detached());
    large.hold(memory.largest()).await.unwrap();
    let mut second = memory.share(Cut::detached());
    second.hold(2 * MIB - FLAT * 2).await.unwrap();
    let mut small = memory.share(Cut::detached());
    small.hold(SMALL).await.unwrap();
    assert!(!large.holder.too_slow.is_cancelled() && !second.holder.too_slow.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn the_slowest_lets_go_and_who_computes_is_left_alone() {
    let (memory, _, cut) = memory(8 * MIB);
    let mut computes = memory.share(Cut::detached());
    computes.hold(2 * MIB).await.unwrap();
    computes.computing();
    let mut stalls = memory.share(Cut::detached());
    stalls.hold(3 * MIB).await.unwrap();
    let stalls = tokio::spawn(async move {
        stalls.too_slow().await;
        drop(stalls);
    });
    let mut next = memory.share(Cut::detached());
    next.hold(3 * MIB).await.unwrap();
    stalls.await.unwrap();
    assert_eq!(cut.get(), 1);
    assert!(!computes.holder.too_slow.is_cancelled());
}

#[tokio::test]
async fn the_time_that_a_request_waited_is_not_held_against_its_peer() {
    let (memory, ..) = memory(8 * MIB);
    let mut first = memory.share(Cut::detached());
    first.hold(4 * MIB).await.unwrap();
    first.computing();
    let mut waits = memory.share(Cut::detached());
    let waiting = async {
        waits.hold(4 * MIB).await.unwrap();
        assert!(
            waits.holder.delay() < PATIENCE,
            "{:?}",
            waits.holder.delay()
        );
    };
    let ends = async {
        tokio::time::sleep(PATIENCE * 2).await;
        drop(first);
    };
    tokio::join!(waiting, ends);
}

#[tokio::test(start_paused = true)]
async fn two_that_grow_into_each_other_do_not_wait_for_ever() {
    let (memory, ..) = memory(8 * MIB);
    let mut shares = [memory.share(Cut::detached()), memory.share(Cut::detached())];
    for share in &mut shares {
        share.hold(2 * MIB).await.unwrap();
    }
    let [mut one, mut other] = shares;
    let grown = tokio::join!(async move { one.hold(4 * MIB).await.is_ok() }, async move {
        other.hold(4 * MIB).await.is_ok()
    });
    assert!(grown.0 != grown.1, "{grown:?}");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_no_answer_is_cut_with_its_stream() {
    let (memory, ..) = memory(MIB);
    let peer = Cut::detached();
    let mut answers = Vec::new();
    while memory.small.units.available_permits() >= usize::try_from(units(SMALL)).unwrap() {
        let mut share = memory.share(peer.clone());
        share.hold(SMALL).await.unwrap();
        share.answering(SMALL);
        answers.push(share);
    }
    let mut next = memory.share(Cut::detached());
    let next = next.hold(SMALL);
    let dropped = async {
        peer.cancelled().await;
        answers.clear();
    };
    let (held, ()) = tokio::join!(next, dropped);
    held.unwrap();
}

#[tokio::test(start_paused = true)]
async fn only_so_many_wait() {
    let (memory, ..) = memory(8 * MIB);
    let mut computes = memory.share(Cut::detached());
    computes.hold(4 * MIB).await.unwrap();
    computes.computing();
    let all = (0..=WAITING).map(|_| {
        let mut share = memory.share(Cut::detached());
        async move { share.hold(4 * MIB).await }
    });
    let first = futures::future::select_all(all.map(Box::pin)).await;
    assert_eq!(first.0, Err(NoMemory));
}
