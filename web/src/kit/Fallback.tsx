import { Component, type ReactNode } from "react";

/** Shows `instead` where rendering `children` fails, so that what somebody sent takes no page down. */
export class Fallback extends Component<{ instead: ReactNode; children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    return this.state.failed ? this.props.instead : this.props.children;
  }
}
