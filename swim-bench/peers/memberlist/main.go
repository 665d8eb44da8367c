// Many members of hashicorp/memberlist in one process, on the loopback, with its own configuration for a LAN.
//
// Says "known" when all know all and waits; asked to "crash" it stops one without a goodbye and says "crashed" when
// all others have noticed. The end of its input is its own. `swim-bench-members` does the same.
package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

type counter struct {
	mutex sync.Mutex
	known map[string]bool
}

func (c *counter) set(name string, is bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if is {
		c.known[name] = true
	} else {
		delete(c.known, name)
	}
}

func (c *counter) count() int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return len(c.known)
}

func (c *counter) NotifyJoin(node *memberlist.Node)   { c.set(node.Name, true) }
func (c *counter) NotifyLeave(node *memberlist.Node)  { c.set(node.Name, false) }
func (c *counter) NotifyUpdate(node *memberlist.Node) {}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func wait(counters []*counter, count int) {
	for _, c := range counters {
		for c.count() != count {
			time.Sleep(5 * time.Millisecond)
		}
	}
}

func main() {
	count, err := strconv.Atoi(os.Args[1])
	fail(err)
	lists := make([]*memberlist.Memberlist, count)
	counters := make([]*counter, count)
	for i := range lists {
		counters[i] = &counter{known: map[string]bool{}}
		config := memberlist.DefaultLANConfig()
		config.Name = fmt.Sprintf("node-%d", i)
		config.BindAddr, config.BindPort = "127.0.0.1", 0
		config.Logger = log.New(io.Discard, "", 0)
		config.LogOutput = nil
		config.Events = counters[i]
		lists[i], err = memberlist.Create(config)
		fail(err)
		// One after the other: when all ask at once, some stay unknown to some for minutes, until a push/pull.
		if i > 0 {
			_, err = lists[i].Join([]string{lists[0].LocalNode().Address()})
			fail(err)
		}
	}
	wait(counters, count)
	fmt.Println("known")

	for input := bufio.NewScanner(os.Stdin); input.Scan(); {
		if input.Text() == "crash" {
			fail(lists[count-1].Shutdown())
			wait(counters[:count-1], count-1)
			fmt.Println("crashed")
		}
	}
}
