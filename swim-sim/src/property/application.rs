//! What an application is to the cluster that it runs in.

use swim_core::Event;

use super::Context;

/// Code that lives in one process, on top of one node. A process that starts anew has a new value: what is to
/// survive a crash must be kept elsewhere, as in reality.
///
/// Each call is one turn of the process's loop: it takes no time, and nothing else happens meanwhile. For a run to
/// repeat itself, an application must take time from [`Context::now`], randomness from [`Context::random`],
/// and must not go by the order of a hash table.
pub trait Application {
    /// Its process has started; its node knows only itself, and is told to join next.
    fn on_start(&mut self, ctx: &mut Context<'_>) {
        let _ = ctx;
    }

    /// Its node has something to say: about members, about what this application asked for, or what the
    /// application of another member sent ([`Event::Message`], [`Event::Broadcast`]).
    fn on_event(&mut self, ctx: &mut Context<'_>, event: &Event);

    /// The timer that was set with this token has fired: at its time or later, much later if the process stood
    /// still.
    fn on_timer(&mut self, ctx: &mut Context<'_>, token: u64) {
        let _ = (ctx, token);
    }

    /// Its node has said goodbye, or lost its name, and the process ends. A process that crashes is not asked.
    fn on_stop(&mut self, ctx: &mut Context<'_>) {
        let _ = ctx;
    }
}
