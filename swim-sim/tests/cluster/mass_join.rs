//! Two hundred members at once.

use crate::common::{assert_nobody_falsely_buried, lan, secs};
use swim_core::Status;
use swim_sim::World;

#[test]
fn two_hundred_members_that_join_through_one_seed_at_once_converge_within_seconds() {
    let mut world = World::new(1);
    let hosts = world.start_many(200, &lan());
    for host in &hosts[1..] {
        world.join(*host, &hosts[..1]);
    }
    let took = world.run_until(secs(20), World::converged).expect("one seed is enough");
    eprintln!("200 members converged after {took:?}, {:?} sent", world.traffic().sent);
    world.run_for(secs(60));
    assert!(world.converged());
    assert_nobody_falsely_buried(&world);
}

#[test]
fn half_of_two_hundred_members_restarting_at_once_settles() {
    let (mut world, hosts) = crate::common::cluster(2, 200, &lan());
    for host in &hosts[..100] {
        world.crash(*host);
    }
    world.run_for(secs(2));
    for host in &hosts[..100] {
        world.restart(*host);
        world.join(*host, &hosts[100..103]);
    }
    let took = world.run_until(secs(30), World::converged).expect("the new lives are believed");
    eprintln!("settled after {took:?}");
    assert_nobody_falsely_buried(&world);
    assert!(world.all_believe(&hosts[100..], &hosts[..100], Status::Alive));
}
