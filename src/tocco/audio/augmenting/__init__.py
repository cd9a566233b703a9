"""The single effects of augmentation; `tocco.audio.augmentation` is their public interface."""
