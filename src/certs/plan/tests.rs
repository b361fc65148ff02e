use jiff::SignedDuration;

use super::*;
use scene::Scene;

mod scene;

const LEAF: u64 = 3_000;
const AUTHORITY: u64 = 9_000;

fn wish() -> Wish {
    Wish {
        names: vec!["a.b.svc".to_owned()],
        leaf: Duration::from_secs(LEAF),
        authority: Duration::from_secs(AUTHORITY),
    }
}

fn start() -> Timestamp {
    "2026-03-01T10:00:00Z".parse().unwrap()
}

fn at(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

fn kept() -> Kept {
    Kept::new(&wish(), start()).unwrap()
}

fn entry(name: &str, bundle: &[&Certificate]) -> Entry {
    Entry {
        name: name.to_owned(),
        host: "a.b.svc".to_owned(),
        bundle: bundle.iter().copied().cloned().collect(),
        readable: true,
    }
}

fn publishes(plan: &Plan) -> bool {
    plan.publish.iter().any(|all| !all.is_empty())
}

#[test]
fn nothing_is_done_while_all_is_well() {
    let plan = Scene::settled(&kept()).plan();
    assert_eq!(
        (plan.write, plan.show, publishes(&plan)),
        (None, false, false)
    );
    assert_eq!(plan.again, LOOK);
}

#[test]
fn what_is_written_into_the_secret() {
    // validity begins a twentieth of the life before, at most an hour: two thirds are over a little earlier
    let leaf_due = i64::try_from(LEAF).unwrap() - 1_050;
    let authority_due = i64::try_from(AUTHORITY).unwrap() - 3_150;
    for (what, secret, known, now, expected) in [
        ("nobody knows", Found::Unknown, true, 60, None),
        ("all is well", Found::Good, true, 60, None),
        ("a moment before", Found::Good, true, leaf_due - 1, None),
        (
            "two thirds over",
            Found::Good,
            true,
            leaf_due,
            Some(Write::Leaf),
        ),
        (
            "the leaf has ended",
            Found::Good,
            true,
            3_001,
            Some(Write::Leaf),
        ),
        (
            "two thirds of the authority over",
            Found::Good,
            true,
            authority_due,
            Some(Write::Authority),
        ),
        (
            "the authority has ended",
            Found::Good,
            true,
            9_001,
            Some(Write::Authority),
        ),
        (
            "made in the future",
            Found::Good,
            true,
            -1_000,
            Some(Write::Authority),
        ),
        (
            "an empty cluster",
            Found::Nothing,
            false,
            60,
            Some(Write::First),
        ),
        ("deleted", Found::Nothing, true, 60, Some(Write::Again)),
        (
            "deleted when due",
            Found::Nothing,
            true,
            leaf_due,
            Some(Write::Leaf),
        ),
        ("broken", Found::Broken, true, 60, Some(Write::Again)),
        (
            "broken from the start",
            Found::Broken,
            false,
            60,
            Some(Write::First),
        ),
        ("somebody else's", Found::Foreign, false, 60, None),
    ] {
        let kept = kept();
        let mut scene = Scene::settled(&kept);
        (scene.secret, scene.now) = (secret, now);
        if !known {
            (scene.known, scene.shown) = (None, None);
        }
        assert_eq!(scene.plan().write, expected, "{what}");
    }
}

#[test]
fn a_leaf_without_our_name_is_renewed_and_keeps_the_others() {
    let kept = kept();
    let mut scene = Scene::settled(&kept);
    scene.wish.names = vec!["c.d.svc".to_owned()];
    assert_eq!(scene.plan().write, Some(Write::Leaf));
    let both = kept.with_new_leaf(&scene.wish, at(60)).unwrap();
    assert!(both.certifies(&["a.b.svc".to_owned(), "c.d.svc".to_owned()]));
    scene.known = Some(both.clone());
    assert_eq!(scene.plan().write, None);
    let next = both.with_new_leaf(&scene.wish, at(120)).unwrap();
    assert!(
        !next.certifies(&["a.b.svc".to_owned()]),
        "nobody asks for it any more"
    );
}

#[test]
fn a_new_leaf_of_the_same_authority_is_shown_once_that_is_settled() {
    let kept = kept();
    let mut scene = Scene::settled(&kept);
    scene.plan();
    scene.known = Some(kept.with_new_leaf(&wish(), at(2_000)).unwrap());
    (scene.now, scene.uptime) = (2_000, 299);
    assert!(
        !scene.plan().show,
        "this process has seen the bundle for less than five minutes"
    );
    assert_eq!(scene.plan().again, LOOK_WHILE_WAITING);
    scene.uptime = 300;
    let plan = scene.plan();
    assert!(plan.show && !publishes(&plan));
}

#[test]
fn a_new_authority_is_published_then_settles_then_is_shown_and_the_old_one_stays_while_its_leaf_lives()
 {
    let old = kept();
    let mut scene = Scene::settled(&old);
    (scene.now, scene.uptime) = (2_000, 100);
    scene.plan();
    let new = old.with_new_authority(&wish(), at(2_000)).unwrap();
    scene.known = Some(new.clone());
    let plan = scene.plan();
    assert!(!plan.show && publishes(&plan));
    scene.publish(&plan);
    assert_eq!(
        scene.bundle(),
        [new.authority().clone(), old.authority().clone()]
    );
    scene.uptime = 104;
    assert!(!publishes(&scene.plan()), "published");
    assert!(!scene.plan().show);
    scene.uptime = 403;
    assert!(!scene.plan().show);
    scene.uptime = 404;
    assert!(scene.plan().show);
    scene.shown = Some(new.clone());
    (scene.now, scene.uptime) = (3_000, 1_100);
    assert!(
        !publishes(&scene.plan()),
        "a replica that is cut off may still show the old leaf"
    );
    (scene.now, scene.uptime) = (3_001, 5_000);
    let plan = scene.plan();
    scene.publish(&plan);
    assert_eq!(scene.bundle(), [new.authority().clone()]);
    assert!(!publishes(&scene.plan()));
}

#[test]
fn an_authority_that_only_one_configuration_has_is_not_settled() {
    let old = kept();
    let new = old.with_new_authority(&wish(), at(60)).unwrap();
    let mut scene = Scene::settled(&old);
    scene.known = Some(new.clone());
    scene.mutating = Some(vec![entry("one", &[new.authority(), old.authority()])]);
    scene.plan();
    scene.uptime = 1_000;
    assert!(!scene.plan().show);
    let [mutating, validating] = scene.plan().publish;
    assert!(mutating.is_empty() && validating.len() == 1);
    scene.validating = None;
    assert!(!scene.plan().show, "nobody knows what the other one has");
}

#[test]
fn where_nothing_is_lost_a_leaf_is_shown_at_once() {
    let old = kept();
    let new = old.with_new_authority(&wish(), at(60)).unwrap();
    let both = Some(vec![entry("one", &[new.authority()])]);
    for (what, shown, bundles, now, expected) in [
        ("nothing is shown yet", None, None, 60, true),
        ("what is shown has ended", Some(&old), None, 3_001, true),
        (
            "what is shown is refused",
            Some(&old),
            both.clone(),
            60,
            true,
        ),
        ("nobody calls", Some(&old), Some(Vec::new()), 60, true),
        ("it is shown", Some(&new), both, 60, false),
    ] {
        let mut scene = Scene::settled(&old);
        (scene.known, scene.shown) = (Some(new.clone()), shown.cloned());
        (scene.mutating, scene.validating) = (bundles.clone(), bundles);
        scene.now = now;
        assert_eq!(scene.plan().show, expected, "{what}");
    }
}

#[test]
fn an_emptied_or_unreadable_bundle_is_published_again() {
    let kept = kept();
    let mut scene = Scene::settled(&kept);
    scene.mutating = Some(vec![entry("one", &[]), entry("two", &[kept.authority()])]);
    let mut broken = entry("three", &[kept.authority()]);
    broken.readable = false;
    scene.validating = Some(vec![broken]);
    let plan = scene.plan();
    let names = plan.publish.each_ref().map(|all| {
        let names = all.iter().map(|publication| publication.webhook.as_str());
        names.collect::<Vec<_>>()
    });
    assert_eq!(names, [vec!["one"], vec!["three"]]);
    scene.publish(&plan);
    assert!(!publishes(&scene.plan()));
}

#[test]
fn a_foreign_authority_stays_for_the_life_of_a_leaf_and_then_goes() {
    let (kept, foreign) = (kept(), kept());
    let mut scene = Scene::settled(&kept);
    let bundle = [foreign.authority(), kept.authority()];
    scene.mutating = Some(vec![entry("one", &bundle)]);
    for uptime in [0, LEAF - 1] {
        scene.uptime = uptime;
        assert!(!publishes(&scene.plan()), "after {uptime} s");
    }
    scene.uptime = LEAF;
    let plan = scene.plan();
    scene.publish(&plan);
    assert_eq!(scene.bundle(), [kept.authority().clone()]);
}

#[test]
fn what_has_ended_by_our_clock_stays_as_long_as_what_is_foreign() {
    let kept = kept();
    let mut scene = Scene::settled(&kept);
    scene.known = Some(kept.with_new_authority(&wish(), at(9_001)).unwrap());
    scene.now = 9_001;
    let plan = scene.plan();
    assert_eq!(plan.publish[0][0].bundle.len(), 2, "our clock may be wrong");
    scene.publish(&plan);
    scene.uptime = LEAF;
    let plan = scene.plan();
    assert_eq!(plan.publish[0][0].bundle.len(), 1);
}

#[test]
fn a_leaf_with_little_life_is_replaced_in_time_whatever_is_wished_now() {
    let wish = Wish {
        leaf: Duration::from_mins(1),
        ..wish()
    };
    let short = Kept::new(&wish, start()).unwrap();
    let mut scene = Scene::settled(&short);
    scene.plan();
    scene.known = Some(short.with_new_leaf(&self::wish(), at(40)).unwrap());
    (scene.now, scene.uptime) = (40, 9);
    assert!(!scene.plan().show);
    (scene.now, scene.uptime) = (42, 11);
    assert!(scene.plan().show, "sixty seconds leave ten");
}

#[test]
fn short_lives_leave_time_to_show_a_new_leaf_before_the_old_one_ends() {
    for (life, wait) in [(20, 5), (60, 10), (600, 100), (7_776_000, 300)] {
        assert_eq!(
            settled_after(Duration::from_secs(life)),
            Duration::from_secs(wait)
        );
    }
}

#[test]
fn what_is_shown_stays_published_whatever_the_secret_says() {
    let (ours, theirs) = (kept(), kept());
    let mut scene = Scene::settled(&ours);
    scene.known = Some(theirs.clone());
    let plan = scene.plan();
    scene.publish(&plan);
    assert_eq!(
        scene.bundle(),
        [theirs.authority().clone(), ours.authority().clone()]
    );
}

#[test]
fn nothing_is_published_before_the_secret_holds_it() {
    let kept = kept();
    let mut scene = Scene::settled(&kept);
    (scene.secret, scene.known, scene.shown) = (Found::Nothing, None, None);
    scene.mutating = Some(vec![entry("one", &[])]);
    assert!(!publishes(&scene.plan()));
}

#[test]
fn a_clock_that_jumps_is_noticed_within_ten_seconds() {
    let mut scene = Scene::settled(&kept());
    for (now, longest) in [(60, 10), (1_945, 5), (1_949, 1), (100_000, 1)] {
        scene.now = now;
        assert_eq!(scene.plan().again, Duration::from_secs(longest), "at {now}");
    }
}

#[test]
fn in_sync_is_when_every_webhook_verifies_what_is_shown() {
    let (kept, other) = (kept(), kept());
    let fits = entry("one", &[other.authority(), kept.authority()]);
    let unfit = entry("two", &[other.authority()]);
    let pair = Some(kept.pair());
    for (entries, pair, expected) in [
        (vec![fits.clone()], pair, true),
        (vec![fits.clone(), unfit], pair, false),
        (vec![], pair, false),
        (vec![fits], None, false),
    ] {
        assert_eq!(in_sync(pair, entries.iter(), at(60)), expected);
    }
}
