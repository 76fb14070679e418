/** The largest frame, in bytes (aws-facts 1.8: API Gateway's frame size). */
export const MAXIMUM_FRAME_BYTES = 32_768;

/** The most heads of one `ping`: with ids of 30 characters they fit a frame with room to spare. */
export const MAXIMUM_HEADS = 500;
