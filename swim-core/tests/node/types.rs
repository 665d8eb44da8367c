//! What drivers rely on and the compiler knows.

use swim_core::{Config, Event, Node, Output, Stats};

const fn send<T: Send + 'static>() {}
const fn sync<T: Sync + 'static>() {}
const fn copy<T: Copy>() {}
const fn send_now<T: Send>(_: &T) {}

/// Statistics are a value; a node may live on whatever thread, and be looked at from several.
const _: () = {
    copy::<Stats>();
    send::<Node>();
    sync::<Node>();
    send::<Event>();
    sync::<Config>();
};

#[test]
fn an_output_may_be_held_across_an_await_on_a_runtime_of_many_threads() {
    async fn turn(mut node: Node) -> Node {
        while let Some(output) = node.poll() {
            std::future::ready(()).await;
            match output {
                Output::Transmit(transmit) => assert!(!transmit.bytes.is_empty()),
                Output::Event(event) => drop(event),
            }
        }
        node
    }
    let lab = crate::lab::Lab::quiet();
    let task = turn(lab.node);
    send_now(&task);
    let mut task = std::pin::pin!(task);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(task.as_mut().poll(&mut context).is_ready());
}
